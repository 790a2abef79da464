// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, Round, SeatStatus, State} from "../../../contracts/interfaces/IJob.sol";
import {Steps} from "../support/Steps.sol";

/// @notice Invariants 3 and 7: what each account is paid when a job ends and which accounts lose a stake, computed from
/// the rule in prose and not by the contracts' code. A provider whose result stands gets the price; one whose result is
/// confirmed and short, or whose run is stopped, its share. A validator that
/// revealed gets its fee, unless a later panel contradicts it. The rest goes back; the deposit of a lost challenge is
/// burnt. A stake that is lost is burnt, except a tenth of the provider's where the requester had not named the
/// validators that found the result wrong.
abstract contract Dues is Steps {
    address private constant COIN = address(0);

    /// The facts of a job's end that decide about money.
    struct End {
        State state;
        Round round;
        bool challenged;
        bool appealed;
        /// The last panel confirmed the result.
        bool confirmed;
        /// The provider loses its stake.
        bool slashed;
        /// The last panel found the result wrong.
        bool contradicted;
        /// The last panel confirmed the result and found it short of the threshold.
        bool unmet;
        /// The provider's part of a price that is refunded, of 10,000.
        uint256 share;
        /// The requester named the first validators.
        bool named;
        /// The provider hid its seed, so that validators that had committed in the last round could not reveal.
        bool undrawn;
    }

    /// The amounts that the escrow must owe.
    mapping(address account => mapping(address token => uint256)) internal due;
    /// The amounts that stakes must have lost.
    mapping(address account => uint256) internal slashes;
    uint256 internal burnt;
    /// The round in which an account was seated.
    mapping(bytes32 jobId => mapping(address validator => Round)) internal seatedIn;

    function checkDues() public view virtual;

    function _oweEnd(IJob.Terms memory terms, End memory end) internal {
        if (end.state == State.Cancelled) return _owe(terms.requester, terms.token, terms.price + _feesOf(terms));
        // The part of each side's fees and bonds that is left once the panels are paid from them.
        uint256 theirs = _feesOf(terms) + (end.challenged ? 3 * uint256(terms.validatorFee) : 0);
        uint256 providers = end.appealed ? 3 * uint256(terms.validatorFee) : 0;
        for (uint256 i = 0; i < accounts.length; ++i) {
            (address payee, bool loses) = _endOf(terms, end, accounts[i]);
            if (loses) _slash(accounts[i], terms.validatorStake, 0);
            if (payee == address(0)) continue;
            if (seatedIn[escrow.jobIdOf(terms)][accounts[i]] == Round.Appeal) providers -= terms.validatorFee;
            else theirs -= terms.validatorFee;
            _owe(payee, terms.token, terms.validatorFee);
        }
        bool paid = end.state == State.Settled;
        uint256 deposit = end.challenged ? terms.price / 2 : 0;
        uint256 lost = paid && end.confirmed ? deposit : 0;
        uint256 earned = paid ? terms.price : terms.price * end.share / 10_000;
        _owe(terms.provider, terms.token, providers + earned);
        _owe(address(0), terms.token, lost);
        _owe(terms.requester, terms.token, theirs + (deposit - lost) + (terms.price - earned));
        if (!end.slashed) return;
        uint256 tenth = end.contradicted && end.named ? 0 : terms.providerStake / 10;
        _slash(terms.provider, terms.providerStake, tenth);
        _owe(terms.requester, COIN, tenth);
    }

    /// @dev The account that gets the fee of a seat, zero for none, and whether the seat's holder loses its stake.
    function _endOf(IJob.Terms memory terms, End memory end, address who)
        private
        view
        returns (address payee, bool loses)
    {
        bytes32 id = escrow.jobIdOf(terms);
        SeatStatus seat = escrow.seatOf(id, who);
        bool earlier = seatedIn[id][who] != end.round;
        if (hid[id][who]) return (address(0), true);
        if (seat == SeatStatus.Committed) return end.undrawn && !earlier ? (who, false) : (address(0), true);
        bool against = seat == SeatStatus.Failed || seat == SeatStatus.Unmet;
        if (seat != SeatStatus.Revealed && seat != SeatStatus.Passed && !against) return (address(0), false);
        if (!earlier) return (who, false);
        if (end.confirmed && against) return (terms.provider, true);
        bool mild = seat == SeatStatus.Passed || seat == SeatStatus.Unmet;
        if (end.contradicted && mild) return (address(0), true);
        if (end.unmet && seat == SeatStatus.Passed) return (address(0), true);
        if (end.unmet && seat == SeatStatus.Failed) return (terms.provider, true);
        return (who, false);
    }

    function _slash(address account, uint256 stake, uint256 kept) private {
        slashes[account] += stake;
        burnt += stake - kept;
    }

    function _owe(address account, address token, uint256 amount) private {
        due[account][token] += amount;
    }

    function _feesOf(IJob.Terms memory terms) private pure returns (uint256) {
        return uint256(terms.rule.validators()) * terms.validatorFee;
    }
}
