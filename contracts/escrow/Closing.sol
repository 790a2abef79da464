// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Cause, SeatStatus, State} from "../interfaces/IJobEscrow.sol";
import {Outcome, Role} from "../interfaces/IProviderRating.sol";
import {APPEALED, CHALLENGED, PASSES, Record, SEATS} from "../libraries/Record.sol";
import {Verdicts} from "./Verdicts.sol";

/// @notice The two ways in which a job that was accepted ends, and who gets what. Everything that the job holds
/// is paid, refunded or let go here, in one call.
abstract contract Closing is Verdicts {
    address private constant COIN = address(0);

    /// What a job's fee funds hold, as its panel is paid from them.
    struct Funds {
        /// Posted by the requester: all fees, or the bond of a challenge.
        uint256 requesters;
        /// The bond of an appeal.
        uint256 providers;
        /// Fees that overruled validators lose to the provider.
        uint256 forfeited;
    }

    /// @dev Pays the provider. The job is saved as final before anything else happens.
    function _settle(bytes32 jobId, Terms calldata terms, Record record, address[] calldata panel) internal {
        // Effect
        _records[jobId] = record.to(State.Settled).until(0);
        emit Settled(jobId);

        // Interaction
        Funds memory funds = _closePanel(jobId, terms, record, panel, _isOverruled(record));
        _credit(terms.provider, terms.token, terms.price + funds.providers + funds.forfeited);
        _credit(terms.requester, terms.token, funds.requesters);
        registry.unlock(terms.provider, terms.providerStake);
        rating.record(terms.provider, Role.Provider, Outcome.Settled);
    }

    /// @dev Refunds the requester. A missed deadline costs the provider its stake, for the requester; a wrong
    /// result the same, but half of it is burnt: the requester may have named the validators that said so.
    function _refund(bytes32 jobId, Terms calldata terms, Record record, address[] calldata panel, Cause cause)
        internal
    {
        // Effect
        _records[jobId] = record.to(State.Refunded).until(0);
        emit Refunded(jobId, cause);

        // Interaction
        Funds memory funds = _closePanel(jobId, terms, record, panel, false);
        _credit(terms.requester, terms.token, terms.price + funds.requesters);
        _credit(terms.provider, terms.token, funds.providers);
        if (cause == Cause.Released || cause == Cause.Inconclusive) {
            registry.unlock(terms.provider, terms.providerStake);
            if (cause == Cause.Released) rating.record(terms.provider, Role.Provider, Outcome.Released);
            return;
        }
        bool late = cause == Cause.RunMissed || cause == Cause.ClaimMissed;
        uint256 burnt = late ? 0 : terms.providerStake / 2;
        _slash(terms.provider, terms.providerStake, burnt);
        _credit(terms.requester, COIN, terms.providerStake - burnt);
        Outcome outcome = late ? Outcome.Late : cause == Cause.Hid ? Outcome.Hid : Outcome.Rejected;
        rating.record(terms.provider, Role.Provider, outcome);
    }

    /// @dev Whether an appeal's panel found for the provider.
    function _isOverruled(Record record) private pure returns (bool) {
        return record.has(APPEALED) && record.count(PASSES) * 2 > record.count(SEATS);
    }

    /// @dev Pays, lets go or slashes every validator, and says what is left of the funds. The ascending order
    /// shows that nobody is listed twice, the count that nobody is left out.
    function _closePanel(bytes32 jobId, Terms calldata terms, Record record, address[] calldata panel, bool overruled)
        private
        returns (Funds memory funds)
    {
        if (panel.length != record.occupied()) {
            revert JobEscrow_WrongPanelSize(jobId, panel.length, record.occupied());
        }
        funds.requesters = record.has(CHALLENGED) ? bondOf(terms) : _feesOf(terms);
        funds.providers = record.has(APPEALED) ? bondOf(terms) : 0;
        address previous = address(0);
        for (uint256 i = 0; i < panel.length; ++i) {
            address validator = panel[i];
            Seat memory seat = _seats[jobId][validator];
            if (seat.status == SeatStatus.None || validator <= previous) {
                revert JobEscrow_WrongSeat(jobId, validator, seat.status);
            }
            previous = validator;
            _closeSeat(terms, funds, validator, seat, overruled);
        }
    }

    function _closeSeat(
        Terms calldata terms,
        Funds memory funds,
        address validator,
        Seat memory seat,
        bool overruled
    ) private {
        if (seat.status == SeatStatus.Abstained) {
            rating.record(validator, Role.Validator, Outcome.Abstained);
        } else if (seat.status == SeatStatus.Dismissed) {
            rating.record(validator, Role.Validator, Outcome.Late);
        } else if (seat.status == SeatStatus.Committed) {
            // It hid what it found: both sides waited for it.
            _slash(validator, terms.validatorStake, 0);
            uint256 half = terms.validatorStake / 2;
            _credit(terms.requester, COIN, half);
            _credit(terms.provider, COIN, terms.validatorStake - half);
            rating.record(validator, Role.Validator, Outcome.Hid);
        } else if (overruled && !seat.appellate && seat.status == SeatStatus.Failed) {
            funds.requesters -= terms.validatorFee;
            funds.forfeited += terms.validatorFee;
            _slash(validator, terms.validatorStake, 0);
            _credit(terms.provider, COIN, terms.validatorStake);
            rating.record(validator, Role.Validator, Outcome.Rejected);
        } else {
            if (seat.appellate) funds.providers -= terms.validatorFee;
            else funds.requesters -= terms.validatorFee;
            _credit(validator, terms.token, terms.validatorFee);
            registry.unlock(validator, terms.validatorStake);
            rating.record(validator, Role.Validator, Outcome.Settled);
        }
    }

    function _slash(address account, uint256 amount, uint256 burnt) private {
        if (amount != 0) registry.slash(account, amount, burnt);
    }
}
