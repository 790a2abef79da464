// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, Round, SeatStatus, State} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Steps} from "../support/Steps.sol";

/// @notice Invariants 3 and 7: who is paid what when a job ends, and who loses a stake, from the rule in prose and
/// not from the contracts. A provider whose result stands gets the price, and half of it again from a lost challenge;
/// a validator that revealed its fee, unless a later panel contradicts it; the rest goes back. Of a stake that is
/// lost all is burnt, but for a tenth of the provider's where the requester did not choose who found it wrong.
abstract contract Dues is Steps {
    address private constant COIN = address(0);

    /// How a job ended, as far as money is concerned.
    struct End {
        State state;
        Round round;
        bool challenged;
        bool appealed;
        /// The last panel confirmed the result.
        bool confirmed;
        /// The provider loses its stake: because the last panel found so, and as one that the requester did not name?
        bool slashed;
        bool contradicted;
        bool named;
        /// The provider hid its seed: who had committed in the last round could not go on.
        bool undrawn;
    }

    /// What the escrow must owe.
    mapping(address account => mapping(address token => uint256)) internal due;
    /// What stakes must have lost.
    mapping(address account => uint256) internal slashes;
    uint256 internal burnt;
    /// The round in which an account was seated.
    mapping(bytes32 jobId => mapping(address validator => Round)) internal seatedIn;

    function checkDues() public view virtual;

    function _oweEnd(IJobEscrow.Terms memory terms, End memory end) internal {
        if (end.state == State.Cancelled) return _owe(terms.requester, terms.token, terms.price + _feesOf(terms));
        // What is left of either side's fees and bonds, once the panels are paid from them.
        uint256 theirs = _feesOf(terms) + (end.challenged ? 3 * uint256(terms.validatorFee) : 0);
        uint256 providers = end.appealed ? 3 * uint256(terms.validatorFee) : 0;
        for (uint256 i = 0; i < crowd.length; ++i) {
            (address payee, bool loses) = _endOf(terms, end, crowd[i]);
            if (loses) _slash(crowd[i], terms.validatorStake, 0);
            if (payee == address(0)) continue;
            if (seatedIn[escrow.jobIdOf(terms)][crowd[i]] == Round.Appeal) providers -= terms.validatorFee;
            else theirs -= terms.validatorFee;
            _owe(payee, terms.token, terms.validatorFee);
        }
        bool paid = end.state == State.Settled;
        uint256 deposit = end.challenged ? terms.price / 2 : 0;
        uint256 lost = paid && end.confirmed ? deposit : 0;
        _owe(terms.provider, terms.token, providers + (paid ? terms.price : 0));
        _owe(address(0), terms.token, lost);
        _owe(terms.requester, terms.token, theirs + (deposit - lost) + (paid ? 0 : terms.price));
        if (!end.slashed) return;
        uint256 tenth = end.contradicted && end.named ? 0 : terms.providerStake / 10;
        _slash(terms.provider, terms.providerStake, tenth);
        _owe(terms.requester, COIN, tenth);
    }

    /// @dev Who gets the fee of a seat, if anybody, and whether who has the seat loses its stake.
    function _endOf(IJobEscrow.Terms memory terms, End memory end, address who)
        private
        view
        returns (address payee, bool loses)
    {
        bytes32 id = escrow.jobIdOf(terms);
        SeatStatus seat = escrow.seatOf(id, who);
        bool earlier = seatedIn[id][who] != end.round;
        if (hid[id][who]) return (address(0), true);
        if (seat == SeatStatus.Committed) return end.undrawn && !earlier ? (who, false) : (address(0), true);
        if (seat != SeatStatus.Revealed && seat != SeatStatus.Passed && seat != SeatStatus.Failed) {
            return (address(0), false);
        }
        if (earlier && end.confirmed && seat == SeatStatus.Failed) return (terms.provider, true);
        if (earlier && end.contradicted && seat == SeatStatus.Passed) return (address(0), true);
        return (who, false);
    }

    function _slash(address account, uint256 stake, uint256 kept) private {
        slashes[account] += stake;
        burnt += stake - kept;
    }

    function _owe(address account, address token, uint256 amount) private {
        due[account][token] += amount;
    }

    function _feesOf(IJobEscrow.Terms memory terms) private pure returns (uint256) {
        return uint256(terms.rule.validators()) * terms.validatorFee;
    }
}
